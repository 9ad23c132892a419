/** What a verb of the command line is: its words and options, what --help says, and what it does. */

export interface Option {
  /** `true` is a switch; a text is what stands behind it in the help, as in `--stack NAME`. */
  readonly value: true | string
  readonly what: string
  /** One letter. */
  readonly short?: string
}

export type Options = Readonly<Record<string, Option>>

export interface Example {
  /** As a user types it in the project's folder. */
  readonly line: string
  readonly what: string
}

/** What a user gave. */
export interface Given<O extends Options = Options> {
  /** A switch that was not given is missing. */
  readonly options: { readonly [K in keyof O]?: O[K]['value'] extends true ? boolean : string }
  /** The words beside the options. */
  readonly words: readonly string[]
  /** What stands behind `--`; undefined where there is no `--`. */
  readonly command: readonly string[] | undefined
  /** Everything behind the verb, as it was typed. */
  readonly raw: readonly string[]
}

export interface Verb<O extends Options = Options> {
  /** Behind `overlab`; one line a form. */
  readonly usage: readonly [string, ...string[]]
  /** One paragraph an entry. */
  readonly about: readonly string[]
  /** A list to choose from, with its title. */
  readonly choice?: { readonly title: string; readonly entries: Readonly<Record<string, string>> }
  readonly options: O
  readonly examples: readonly Example[]
  /** The exit statuses, where they are others than 0, 1 and 2 (see help.ts). */
  readonly statuses?: string
  /** How many words, at least and at most. */
  readonly words: readonly [number, number]
  /** Where it takes a command behind `--`. */
  readonly takesCommand?: true
  /** Where options and words are another program's, and only that can check them. */
  readonly passesOn?: true
  /** The exit status; 0 where nothing is returned. */
  run(given: Given<O>): Promise<number | void> | number | void
}

/** Keeps the options' own types, so that `run` knows them. */
export function defineVerb<const O extends Options>(verb: Verb<O>): Verb {
  return verb
}
