/** Does a lab of this project run flanneld? */
import { repository } from './paths.ts'
import { isWished } from './wish.ts'

/** `--flanneld` asks for it whatever the inventories say: the tests of it need it. */
export function flanneldWanted(
  folder: string = repository,
  words: readonly string[] = process.argv,
): boolean {
  return words.includes('--flanneld') || isWished({ key: 'control', value: 'flanneld' }, folder)
}
