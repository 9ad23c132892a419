#!/bin/sh
# Compiles udp.bpf.c and writes object.ts. Run it after every change of udp.bpf.c; needs clang, llvm-strip and libbpf's headers.
set -eu
cd "$(dirname "$0")"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
clang -O2 -g -Wall -Werror -target bpf -fdebug-prefix-map="$PWD"=. -I"/usr/include/$(uname -m)-linux-gnu" -c udp.bpf.c -o "$out"
llvm-strip -g "$out"
{
  echo '/** Made by generate.sh from udp.bpf.c; do not edit. Committed so that no lab needs a compiler. */'
  echo
  echo '/** sha256 of the udp.bpf.c that this was compiled from; a test compares it with the file. */'
  echo "export const sourceDigest = '$(sha256sum udp.bpf.c | cut -d' ' -f1)'"
  echo '/** First 12 hex digits of the sha256 of the object: enough to tell versions apart, short enough to read. */'
  echo "export const objectDigest = '$(sha256sum "$out" | cut -c1-12)'"
  echo '/** The ELF object, gzipped, in base64. */'
  echo 'export const objectLines: readonly string[] = ['
  gzip -9n < "$out" | base64 -w 100 | sed "s/.*/  '&',/"
  echo ']'
} > object.ts
