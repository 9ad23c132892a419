/**
 * The branded values that everything else is made of. A value is checked once, where it enters (an
 * inventory, a Pulumi input, a kernel's answer), and trusted from there on.
 */
import ipaddr from 'ipaddr.js'
import { z } from 'zod'

/** An IPv4 address in dotted form, `192.168.77.1`. */
export type Ip = string & z.$brand<'Ip'>
/** An IPv4 prefix whose host bits are zero, `10.244.2.0/24`. */
export type Cidr = string & z.$brand<'Cidr'>
/** A unicast MAC address in lower case, `56:c7:49:48:ee:87`. */
export type Mac = string & z.$brand<'Mac'>
/** A name the kernel accepts for a link: 1 to 15 characters (IFNAMSIZ less the final zero). */
export type IfName = string & z.$brand<'IfName'>
/**
 * A host, pod or lab name: an RFC 1123 label with a letter in it, since tools take digits alone for an address. Of a host
 * that exists it may have dots, capitals and underscores too (`hostName`); it is no part of a command, but of file names.
 */
export type Name = string & z.$brand<'Name'>

export const ip = z
  .string()
  .refine(
    (text) => ipaddr.IPv4.isValidFourPartDecimal(text),
    'is not an IPv4 address; write one such as 192.168.77.1',
  )
  .brand<'Ip'>()

export const cidr = z
  .string()
  .superRefine((text, context) => {
    const [address = '', length = ''] = text.split('/')
    if (!ipaddr.IPv4.isValidFourPartDecimal(address) || !/^([0-9]|[12][0-9]|3[0-2])$/.test(length)) {
      context.addIssue({ code: 'custom', message: 'is not an IPv4 prefix; write one such as 10.244.0.0/16' })
      return
    }
    const network = ipaddr.IPv4.networkAddressFromCIDR(text).toString()
    if (network !== address)
      context.addIssue({ code: 'custom', message: `has host bits set; write ${network}/${length}` })
  })
  .brand<'Cidr'>()

export const mac = z
  .string()
  .toLowerCase()
  .regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, 'is not a MAC address; write one such as 0a:58:0a:f4:01:02')
  .refine(
    (text) => (parseInt(text.slice(0, 2), 16) & 1) === 0,
    'is a multicast address; make the second digit even',
  )
  .brand<'Mac'>()

export const ifName = z
  .string()
  .regex(
    /^[A-Za-z0-9_.-]{1,15}$/,
    'is not a link name; use 1 to 15 letters, digits, dots, dashes or underscores',
  )
  .refine((text) => text !== '.' && text !== '..', 'is not a link name; use letters or digits')
  .brand<'IfName'>()

export const name = z
  .string()
  .regex(
    /^(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'is not a name; use lower-case letters, digits and inner dashes, at most 63, with a letter',
  )
  .brand<'Name'>()

/** Any host's name: `name`, and what servers are called, as whole domain names are. */
export const hostName = z
  .string()
  .regex(
    /^(?=.*[A-Za-z])[A-Za-z0-9](?!.*[.]{2})([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/,
    'is not a host name; use letters, digits and inner dots, dashes and underscores, at most 128, with a letter',
  )
  .brand<'Name'>()
