/** What a disk image is, by its first bytes. */
import { open } from 'node:fs/promises'

/** @throws where it can not be read */
export async function diskFormat(image: string): Promise<'qcow2' | 'raw'> {
  const file = await open(image)
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.toString('latin1') === 'QFI\xfb' ? 'qcow2' : 'raw'
  } finally {
    await file.close()
  }
}
