import { expect, test } from 'vitest'
import { parseKeys } from '../../remote/etcdctl.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

test("etcdctl's answer as keys and values", () => {
  const answer = {
    header: { revision: 7 },
    kvs: [
      { key: base64('/a/config'), value: base64('{"Network":"10.244.0.0/16"}'), lease: 12 },
      { key: base64('/a/empty') },
    ],
    count: 2,
  }
  expect(parseKeys(JSON.stringify(answer))).toEqual({
    '/a/config': '{"Network":"10.244.0.0/16"}',
    '/a/empty': '',
  })
  expect(parseKeys('{"header":{"revision":1}}')).toEqual({})
})
