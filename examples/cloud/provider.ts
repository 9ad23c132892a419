/**
 * The few resources of other providers that the example uses, by their types and properties. In a project of your own,
 * `npm install @pulumi/hcloud @pulumi/tls` and import these from there; any other provider will do as well.
 */
import { CustomResource, type CustomResourceOptions, type Input, type Output } from '@pulumi/pulumi'

export interface ServerArgs {
  readonly serverType: Input<string>
  readonly image: Input<string>
  readonly sshKeys: Input<Input<string>[]>
  readonly networks: Input<Input<{ networkId: Input<number>; ip?: Input<string> }>[]>
  readonly userData: Input<string>
}

export class Server extends CustomResource {
  declare readonly ipv4Address: Output<string>
  declare readonly networks: Output<{ ip: string }[]>

  constructor(name: string, args: ServerArgs, options?: CustomResourceOptions) {
    super('hcloud:index/server:Server', name, { ...args, ipv4Address: undefined }, options)
  }
}

export class PrivateKey extends CustomResource {
  /** A secret. */
  declare readonly privateKeyOpenssh: Output<string>
  declare readonly publicKeyOpenssh: Output<string>

  constructor(name: string, options?: CustomResourceOptions) {
    const learnt = { privateKeyOpenssh: undefined, publicKeyOpenssh: undefined }
    super(
      'tls:index/privateKey:PrivateKey',
      name,
      { algorithm: 'ED25519', ...learnt },
      {
        ...options,
        additionalSecretOutputs: ['privateKeyOpenssh'],
      },
    )
  }
}
