/** Ansible's INI form, which overlab does not read: recognized, so that its author gets no errors of YAML. Pure. */
import type { Problem } from './document.ts'

const section = /^\[([^\]:\s]+)(:\w+)?\]\s*([#;].*)?$/
const comment = /^\s*([#;].*)?$/

/** The one problem of a text whose first words are a section of INI, or a host with variables `a=b`; else undefined. */
export function iniProblem(text: string): Problem | undefined {
  const lines = text.split(/\r?\n/)
  const first = lines.findIndex((line) => !comment.test(line))
  const line = lines[first]?.trim() ?? ''
  if (!section.test(line) && !/^[^\s:={}[\]"'-][^\s:={}"']*(\s+\w+=\S+)+\s*$/.test(line)) return undefined
  return {
    path: [],
    line: first + 1,
    column: (lines[first]?.search(/\S/) ?? 0) + 1,
    what: "this is Ansible's INI form, and overlab reads YAML",
    todo: `write ${inYaml(lines)}, and lab: above it (ansible-inventory -i FILE --list --yaml converts the rest)`,
  }
}

/** The first host and its group as YAML on one line. */
function inYaml(lines: readonly string[]): string {
  let group: string | undefined
  for (const line of lines) {
    const [, name, kind] = section.exec(line.trim()) ?? []
    if (name !== undefined) group = kind === undefined || kind === ':hosts' ? name : undefined
    else if (!comment.test(line) && (group !== undefined || !lines.some((one) => section.test(one.trim())))) {
      const [host = '', ...words] = line.trim().split(/\s+/)
      const pairs = words
        .map((word) => word.split('='))
        .filter(([key, value]) => key && value && !/pass|secret|token/i.test(key))
      const variables = pairs.map(([key, ...value]) => `${key}: ${value.join('=')}`)
      const hosts = `hosts: {${/[[\]]/.test(host) ? `"${host}"` : host}: {${variables.join(', ')}}}`
      return group === undefined || group === 'ungrouped' || group === 'all'
        ? `all: {${hosts}}`
        : `all: {children: {${group}: {${hosts}}}}`
    }
  }
  return 'all: {children: {GROUP: {hosts: {HOST: {}}}}}'
}
