import { expect, test } from 'vitest'
import { examine, versionIn } from '../../tools/doctor.ts'
import { tools } from '../../tools/packages.ts'

test.each([
  ['ip utility, iproute2-6.1.0, libbpf 1.1.0', '6.1.0'],
  ['OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL 3.0.19', '9.2p1'],
  ['ping from iputils 20221126', '20221126'],
  ['go version go1.26.8 linux/amd64', '1.26.8'],
  ['v3.259.0', '3.259.0'],
  ['no number', ''],
])('the version in %j', (text, version) => expect(versionIn(text)).toBe(version))

test('every tool, the kernel and the project are examined', { timeout: 60_000 }, async () => {
  const findings = await examine()
  const names = findings.map((finding) => finding.name)
  expect(names).toEqual(
    expect.arrayContaining([...tools.map((tool) => tool.name), 'node', 'pulumi', 'vxlan', 'passphrase']),
  )
  // Whatever is not ok says what to do about it.
  expect(findings.filter((finding) => finding.status !== 'ok' && finding.remedy === '')).toEqual([])
})
