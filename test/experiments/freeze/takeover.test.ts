import { expect, test } from 'vitest'
import { takeoverOf } from '../../../experiments/freeze/takeover.ts'

const desired = {
  neighbours: { '10.244.2.0 dev flannel.1': 'lladdr 02:00:00:00:00:02' },
  routes: {
    '10.244.2.0/24': 'via 10.244.2.0 dev flannel.1 onlink',
    '10.244.3.0/24': 'via 10.244.3.0 dev flannel.1 onlink',
  },
}

test('a row that is as wanted only gets the mark; another one is changed', () => {
  const held = {
    neighbours: { '10.244.2.0 dev flannel.1': 'lladdr 02:00:00:00:00:02 unclaimed' },
    routes: { '10.244.2.0/24': 'via 10.244.2.0 dev eth0 unclaimed' },
  }
  expect(takeoverOf(held, desired)).toEqual({
    rows: 3,
    marks: 1,
    changes: [
      {
        table: 'routes',
        op: 'change',
        key: '10.244.2.0/24',
        from: 'via 10.244.2.0 dev eth0',
        to: 'via 10.244.2.0 dev flannel.1 onlink',
      },
      { table: 'routes', op: 'add', key: '10.244.3.0/24', to: 'via 10.244.3.0 dev flannel.1 onlink' },
    ],
  })
})

test('what overlab has already needs nothing', () => {
  expect(takeoverOf(desired, desired)).toEqual({ rows: 3, marks: 0, changes: [] })
})
