import { fromRepository } from '../../tools/paths.ts'

/** The default lab as it is shipped, as the documentation shows it; `inventory/lab.yaml` itself is for users to edit. */
export const defaultLab = fromRepository('test/inventory/right/lab.yaml')
