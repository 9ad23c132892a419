/** Whether this computer has the quiet that measurements need: what else runs on it would be measured too. Pure. */

/**
 * A measurement keeps two cores or so busy: a sender, a receiver, the kernel between them. What leaves less than half
 * of the cores is in its way.
 */
const share = 0.5

/** Why not now, and what to do; undefined on a quiet computer. @param load of the last minute, as /proc/loadavg has it */
export function whyBusy(
  load: number,
  cores: number,
): { readonly what: string; readonly todo: string } | undefined {
  const limit = cores * share
  if (load <= limit) return undefined
  return {
    what: `this computer is busy: a load of ${load.toFixed(1)} on ${cores} ${cores === 1 ? 'core' : 'cores'}, and what else runs would be measured too`,
    todo: `wait until the load is ${limit.toFixed(1)} or less (uptime shows it), or measure all the same by --force`,
  }
}
