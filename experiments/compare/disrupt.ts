/** The measurements that change a lab: a host joins, the daemons die, the backend changes. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Host } from '../../inventory/inventory.ts'
import { podStreams, underLoad, type StreamLoss } from '../load.ts'
import type { Backend } from '../variants/variant.ts'
import type { Subject } from './end.ts'
import { firstAnswerScript, parseFirstAnswer } from './first-answer.ts'
import { NotMeasured, runOn, type Measure, type Reading } from './measure.ts'

/** A host that joins is given up after so long, in seconds. */
const joinPatience = 120

/** Adds the hosts that the lab shall have; the first answer of the newcomer's first pod counts. */
export async function measureJoin(
  subject: Subject,
  hosts: readonly string[],
  newcomer: Host | undefined,
  signal?: AbortSignal,
): Promise<Reading[]> {
  const { lab, from } = subject
  const pod = newcomer?.pods[0]
  if (!pod) throw new NotMeasured('the inventory has no third host with a pod')
  const to = { host: newcomer.name, pod: pod.name, address: pod.address }
  const script = firstAnswerScript(from, to, joinPatience)
  const asked = runOn(subject, from.host, 'ask the new host', script, joinPatience, signal)
  const [answered, raised] = await Promise.allSettled([asked, lab.up({ hosts })])
  if (raised.status === 'rejected') throw raised.reason
  if (answered.status === 'rejected') throw answered.reason
  const seconds = parseFirstAnswer(answered.value)
  if (seconds === undefined) throw new NotMeasured(`${pod.name} did not answer within ${joinPatience} s`)
  return [{ metric: 'join', value: seconds }]
}

const kill = `read -r pid start </run/overlab-services/flanneld/pid && kill -9 "$pid" || exit 1
n=0; while kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ]; do n=$((n + 1)); sleep 0.02; done
! kill -0 "$pid" 2>/dev/null && echo killed
`

/** Kills every flanneld; heals the lab afterwards. */
export const measureDeath: Measure = async ({ lab }, { watch }, signal) => {
  const hosts = Object.keys(lab.plan.hosts)
  const { losses } = await underLoad(
    lab.session,
    podStreams(lab.plan),
    async () => {
      await Promise.all(hosts.map((host) => runOn({ lab }, host, 'kill flanneld', kill, 5, signal)))
      await sleep(watch * 1000, undefined, signal ? { signal } : {})
    },
    signal ? { signal } : {},
  )
  await lab.up()
  const { sent, lost } = totalOf(losses)
  return [{ metric: 'death-loss', value: (lost / sent) * 100 }]
}

/** To another backend, by the lab's own control. */
export const otherBackend: Readonly<Record<Backend, Backend>> = {
  vxlan: 'host-gw',
  'host-gw': 'vxlan',
  udp: 'vxlan',
}

/** The lab has another backend afterwards. */
export const measureChange: Measure = async ({ lab }, _, signal) => {
  const { Type } = lab.plan.lab.overlay.Backend
  const { losses } = await underLoad(
    lab.session,
    podStreams(lab.plan),
    () => lab.up({ backend: otherBackend[Type] }),
    signal ? { signal } : {},
  )
  const { lost, outageMs } = totalOf(losses)
  return [
    { metric: 'change-loss', value: lost },
    { metric: 'change-outage', value: outageMs },
  ]
}

/** All pairs together; the outage is the longest of one pair. @throws NotMeasured where a pair was not measured */
function totalOf(losses: readonly StreamLoss[]): { sent: number; lost: number; outageMs: number } {
  const total = { sent: 0, lost: 0, outageMs: 0 }
  for (const loss of losses) {
    if ('notMeasured' in loss) throw new NotMeasured(`${loss.pair}: ${loss.notMeasured}`)
    total.sent += loss.sent
    total.lost += loss.lost
    total.outageMs = Math.max(total.outageMs, loss.outageMs)
  }
  if (total.sent === 0) throw new NotMeasured('no packet was sent')
  return total
}
