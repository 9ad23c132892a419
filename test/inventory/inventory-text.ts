import { stringify } from 'yaml'

/** The text of an inventory with the given `all`, and a lab block that is right unless told. */
export function inventoryText(all: unknown, lab: object = {}): string {
  const standard = {
    name: 'lab',
    underlay: '192.168.0.0/16',
    overlay: { Network: '10.0.0.0/8', Backend: { Type: 'vxlan' } },
  }
  return stringify({ lab: { ...standard, ...lab }, all }, { aliasDuplicateObjects: false })
}
