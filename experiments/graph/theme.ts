/** The pictures' colours, light and dark. Graphviz knows the light ones only; SVG's style swaps them. */

export interface Colours {
  readonly light: string
  readonly dark: string
}

/** The same colours as docs/images/packet.svg. */
export const theme = {
  page: { light: '#ffffff', dark: '#0d1117' },
  host: { light: '#f6f8fa', dark: '#161b22' },
  line: { light: '#8c959f', dark: '#6e7681' },
  text: { light: '#1f2328', dark: '#e6edf3' },
  quiet: { light: '#57606a', dark: '#9da7b3' },
  pod: { light: '#dafbe1', dark: '#0d2f18' },
  bridge: { light: '#fefefe', dark: '#0e1218' },
  device: { light: '#ddf4ff', dark: '#0c2d4d' },
  nic: { light: '#eaeef2', dark: '#21262d' },
  underlay: { light: '#fff8c5', dark: '#3b2a05' },
  tunnel: { light: '#ddf4fe', dark: '#0c2d4c' },
  route: { light: '#f6f8f9', dark: '#161b21' },
} as const satisfies Record<string, Colours>
