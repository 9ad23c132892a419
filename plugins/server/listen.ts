/** The plugin's door: a loopback port that lets in only the user whom the plugin runs as. */
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { ServerCredentials } from '@grpc/grpc-js'
import type { Server } from '@grpc/grpc-js'
import { ownerOf } from './peer.ts'

/**
 * Listens on a free port of 127.0.0.1 (Pulumi's engine dials no other address) and hands connections of this
 * process's own user to the gRPC server. All others are closed before a byte of theirs is read, root's too:
 * root who means it can become the user. `refused` is called with why, once for each user.
 */
export function listen(server: Server, refused: (why: string) => void): Promise<number> {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  const told = new Set<string>()
  const admit = async (socket: Socket) => {
    const why = await objection(socket)
    if (why === undefined) {
      injector.injectConnection(socket)
      socket.resume()
      return
    }
    socket.destroy()
    if (told.has(why)) return
    told.add(why)
    refused(why)
  }
  const door = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    // gRPC has a listener of its own later; until then a reset must not end the process.
    socket.on('error', () => {})
    void admit(socket)
  })
  return new Promise((resolve, reject) => {
    door.once('error', reject)
    door.listen(0, '127.0.0.1', () => resolve((door.address() as AddressInfo).port))
  })
}

/** Why a connection is not let in; undefined where it is. */
async function objection(socket: Socket): Promise<string | undefined> {
  const { remoteAddress, remotePort, localAddress, localPort } = socket
  if (!remoteAddress || !remotePort || !localAddress || !localPort) return 'its other end is unknown'
  const own = process.geteuid?.()
  try {
    const owner = await ownerOf(
      { address: remoteAddress, port: remotePort },
      { address: localAddress, port: localPort },
    )
    if (owner === undefined) return 'no user of this computer holds its other end open'
    return owner === own ? undefined : `it is of the user with id ${owner}, and this plugin runs as ${own}`
  } catch (error) {
    return `its owner cannot be determined: ${(error as Error).message}`
  }
}
