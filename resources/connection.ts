/** How @pulumi/command reaches a machine. A private key is a secret: Pulumi's state has it encrypted. */
import { readFileSync } from 'node:fs'
import type { remote } from '@pulumi/command'
import * as pulumi from '@pulumi/pulumi'
import { agentIdentity } from '../remote/identity.ts'
import type { Target } from '../remote/target.ts'
import type { Machine } from './machine.ts'

export type Connection = remote.CommandArgs['connection']

/** To a machine that overlab made. */
export function actConnection(machine: Machine, identityFile: pulumi.Output<string>): Connection {
  return {
    host: machine.address,
    port: machine.port,
    user: machine.user,
    hostKey: machine.hostKey,
    privateKey: secretKey(identityFile),
  }
}

/** To a host that exists. */
export function hostConnection({ jump, ...target }: Omit<Target, 'name'>): Connection {
  return { ...login(target), ...(jump && { proxy: login(jump) }) }
}

function login({ host, port, user, hostKey, identityFile }: Omit<Target, 'name'>) {
  return {
    host,
    port,
    user,
    hostKey,
    // Without a key the plugin asks the agent of $SSH_AUTH_SOCK.
    ...(identityFile !== agentIdentity && { privateKey: secretKey(identityFile) }),
  }
}

function secretKey(file: pulumi.Input<string>): pulumi.Output<string> {
  return pulumi.secret(pulumi.output(file).apply((path) => readFileSync(path, 'utf8')))
}
