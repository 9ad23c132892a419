/** What the documentation's tests need of Markdown: blocks, links, anchors, tables, code in a line. */

export interface Block {
  /** `sh`, `console`, `yaml`, `text`, ... */
  readonly language: string
  readonly text: string
  readonly line: number
  /** An HTML comment on the line above it: `<!-- wrong: lab.yaml -->`. */
  readonly note: string
}

export function blocksOf(markdown: string): Block[] {
  const lines = markdown.split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const open = /^```(\w*)$/.exec(lines[at]!)
    if (!open) continue
    const end = lines.indexOf('```', at + 1)
    const above = lines.slice(0, at).findLast((line) => line.trim() !== '') ?? ''
    blocks.push({
      language: open[1]!,
      text: lines.slice(at + 1, end).join('\n'),
      line: at + 1,
      note: /^<!-- (.*) -->$/.exec(above)?.[1] ?? '',
    })
    at = end
  }
  return blocks
}

/** The text without its blocks; lines keep their numbers. */
export function proseOf(markdown: string): string {
  return markdown.replaceAll(/^```[^]*?^```$/gm, (block) => block.replaceAll(/[^\n]/g, ''))
}

/** Targets of links and pictures. */
export function linksOf(markdown: string): string[] {
  return [...proseOf(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!)
}

/** Anchors of the headings, as GitHub makes them. */
export function anchorsOf(markdown: string): string[] {
  return [...proseOf(markdown).matchAll(/^#+ (.*)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** Code within lines: `like this`. */
export function codeOf(markdown: string): string[] {
  return [...proseOf(markdown).matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!)
}

/** The first table below a heading, without its head: cells by row. */
export function tableBelow(markdown: string, heading: string): string[][] {
  const lines = markdown.split('\n')
  const start = lines.indexOf(heading)
  if (start < 0) throw new Error(`there is no heading ${heading}`)
  const rows: string[][] = []
  for (const line of lines.slice(start + 1)) {
    if (line.startsWith('|'))
      rows.push(
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      )
    else if (rows.length > 0 || line.startsWith('#')) break
  }
  return rows.slice(2)
}

/** The commands of a block that is to be typed: without prompt, comment and continued output. */
export function commandsOf({ language, text }: Block): string[] {
  const lines = text.split('\n')
  const typed =
    language === 'console' || language === ''
      ? lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2))
      : language === 'sh'
        ? lines
        : []
  return typed.map((line) => line.replace(/(^|\s)#\s.*$/, '').trim()).filter((line) => line !== '')
}

/** Words of a simple command: quotes are taken off, nothing is expanded. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? '',
  )
}
