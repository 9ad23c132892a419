/** Whole pictures, as the files in golden/ have them. After a change on purpose: `vitest -u`, and look at the pictures. */
import { describe, expect, test } from 'vitest'
import { dotOf } from '../../../experiments/graph/dot.ts'
import { graphMermaidOf } from '../../../experiments/graph/mermaid.ts'
import { graphOf } from '../../../experiments/graph/model.ts'
import { svgOf } from '../../../experiments/graph/svg.ts'
import { loadInventory } from '../../../inventory/load.ts'
import { planLab } from '../../../overlay/plan.ts'
import { fromRepository } from '../../../tools/paths.ts'
import { mixed, plain } from './labs.ts'
import { defaultLab } from '../../support/default-lab.ts'

describe.each(Object.entries({ ...plain, mixed }))('%s', (name, graph) => {
  test('Graphviz', async () => expect(dotOf(graph)).toMatchFileSnapshot(`golden/${name}.dot`))
  test('Mermaid', async () => expect(`${graphMermaidOf(graph)}\n`).toMatchFileSnapshot(`golden/${name}.mmd`))
  test('SVG', async () => expect(await svgOf(graph)).toMatchFileSnapshot(`golden/${name}.svg`))
})

test('the picture in the documentation is the default lab', async () => {
  const graph = graphOf(planLab(loadInventory(defaultLab)))
  await expect(await svgOf(graph)).toMatchFileSnapshot(fromRepository('docs/images/lab-vxlan.svg'))
})
