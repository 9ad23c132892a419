/**
 * Calls a plugin as another user of this computer: `node stranger.ts PORT UID how`. All is loaded before the user is
 * changed, since that one may not be able to read this file.
 *
 * - `ask`: `GetPluginInfo`; prints `served` or `refused`.
 * - `hit`: sends the bytes that come by standard input and closes at once, so that the plugin may look too late whose they are.
 */
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { credentials } from '@grpc/grpc-js'
import type { ServiceError } from '@grpc/grpc-js'
import empty from 'google-protobuf/google/protobuf/empty_pb.js'
import providerGrpc from '@pulumi/pulumi/proto/provider_grpc_pb.js'

const [port = '', uid = '', how = ''] = process.argv.slice(2)
const bytes = how === 'hit' ? await buffer(process.stdin) : Buffer.alloc(0)
process.setgroups?.([])
process.setgid?.(Number(uid))
process.setuid?.(Number(uid))

if (how === 'hit') {
  for (let time = 0; time < 5; time++) {
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => {})
    socket.resume().end(bytes)
    await new Promise((resolve) => socket.once('close', resolve))
  }
} else {
  const client = new providerGrpc.ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure())
  client.getPluginInfo(new empty.Empty(), (error: ServiceError | null) => {
    console.log(error ? 'refused' : 'served')
    client.close()
  })
}
