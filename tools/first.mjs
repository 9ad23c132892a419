// The first step of `npm run lab` and `npm test`: plain JavaScript without dependencies, for any Node from 14 on.
// It sees to node_modules (which brings Node 24), then hands over to setup.ts, run by that Node.
import { spawn, spawnSync } from 'child_process'
import { createHash } from 'crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'fs'
import { dirname, join } from 'path'
import { fileURLToPath } from 'url'

/** Holds the hash of the package-lock.json that node_modules was installed from. */
const stampName = '.overlab-lock-sha256'

/**
 * What is to be done about node_modules in `folder`: nothing, or an install and why. Changes no file.
 * An install by hand (`npm ci`) counts as well: npm leaves its own record of what it installed.
 * @param {string} folder
 * @returns {{ install: boolean, why: string, hash: string }}
 */
export function decide(folder) {
  const text = readFileSync(join(folder, 'package-lock.json'), 'utf8')
  const hash = createHash('sha256').update(text).digest('hex')
  const modules = join(folder, 'node_modules')
  if (!existsSync(modules)) return { install: true, why: 'node_modules is missing', hash }
  if (!existsSync(join(modules, '.bin', 'node'))) {
    return { install: true, why: 'node_modules holds no Node', hash }
  }
  if (read(join(modules, stampName)) === hash) return { install: false, why: 'up to date', hash }
  if (sameAsInstalled(JSON.parse(text), read(join(modules, '.package-lock.json')))) {
    return { install: false, why: 'up to date, installed by hand', hash }
  }
  return { install: true, why: 'node_modules is not what package-lock.json says', hash }
}

/**
 * @param {{ packages: Record<string, { version?: string, optional?: boolean, devOptional?: boolean }> }} lock
 * @param {string | undefined} installedText npm's node_modules/.package-lock.json
 */
function sameAsInstalled(lock, installedText) {
  if (installedText === undefined) return false
  let installed
  try {
    installed = JSON.parse(installedText).packages || {}
  } catch {
    return false
  }
  for (const path of Object.keys(lock.packages)) {
    const wanted = lock.packages[path]
    const found = installed[path]
    if (path === '' || (!found && (wanted.optional || wanted.devOptional))) continue
    if (!found || found.version !== wanted.version) return false
  }
  return Object.keys(installed).every((path) => lock.packages[path])
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/**
 * Runs a command and says every few seconds how long it has been running.
 * @param {string} title @param {string} folder @param {string[]} command
 * @returns {Promise<{ code: number, output: string }>}
 */
function runWithProgress(title, folder, command) {
  return new Promise((resolve) => {
    const began = Date.now()
    const tty = Boolean(process.stdout.isTTY)
    const elapsed = () => Math.round((Date.now() - began) / 1000) + ' s'
    if (!tty) console.log(title + ' ...')
    const timer = setInterval(
      () =>
        tty ? process.stdout.write('\r' + title + ' ' + elapsed() + ' ') : console.log('  ' + elapsed()),
      tty ? 1000 : 10000,
    )
    let output = ''
    const child = spawn(command[0], command.slice(1), { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    const keep = (chunk) => (output = (output + chunk).slice(-20000))
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    const end = (code) => {
      clearInterval(timer)
      console.log((tty ? '\r' : '') + title + (code === 0 ? ': done in ' : ': failed after ') + elapsed())
      resolve({ code, output })
    }
    child.on('error', (error) => {
      output += error.message
      end(127)
    })
    child.on('close', (code) => end(code === null ? 1 : code))
  })
}

/** @param {string} folder @param {{ why: string, hash: string }} decision */
async function install(folder, decision) {
  const npm = spawnSync('npm', ['--version'], { encoding: 'utf8' })
  if (npm.error)
    throw new Problem('npm is missing: install it (Debian, Ubuntu: apt-get install npm), then run this again')
  if (parseInt(npm.stdout, 10) < 7) {
    throw new Problem(
      'npm ' +
        npm.stdout.trim() +
        ' cannot read package-lock.json: install Node 20 or newer (https://nodejs.org)',
    )
  }
  console.log('set-up: ' + decision.why + '; running npm ci in ' + folder)
  rmSync(join(folder, 'node_modules', stampName), { force: true })
  // Of all packages only `node` needs its install script (it fetches the Node for this processor). The others'
  // scripts compile optional parts or try downloads, so they do not run, whichever version of npm this is.
  const steps = [
    ['installing npm packages', ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund']],
    ['installing Node 24 into node_modules', ['npm', 'rebuild', 'node', '--ignore-scripts=false']],
  ]
  for (const [title, command] of steps) {
    const result = await runWithProgress(title, folder, command)
    if (result.code !== 0) {
      throw new Problem(
        command.join(' ') +
          ' failed:\n' +
          result.output.trim().split('\n').slice(-15).join('\n') +
          '\nIs the npm registry reachable (npm ping)? Then run this again.',
      )
    }
  }
  const complaint = wrongNode(folder)
  if (complaint) {
    // Nothing may run it, this set-up's next start neither.
    rmSync(join(folder, 'node_modules', '.bin', 'node'), { force: true })
    throw new Problem(complaint)
  }
  if (spawnSync(join(folder, 'node_modules', '.bin', 'node'), ['--version']).status !== 0) {
    throw new Problem(
      'node_modules/.bin/node does not run on this machine: install Node 24 (https://nodejs.org) and put it first in PATH',
    )
  }
}

/**
 * Why the Node that was fetched must not be run; undefined where it is the one whose hash the repository has.
 * package-lock.json covers the package `node`, but not the binary, which that package fetches when it is installed.
 * @param {string} folder @param {string} platform
 */
export function wrongNode(folder, platform = process.platform + '-' + process.arch) {
  const known = JSON.parse(readFileSync(join(folder, 'tools', 'node-sha256.json'), 'utf8'))
  const wanted = known[platform]
  if (!wanted) {
    return (
      'no hash of Node ' +
      known.version +
      ' for ' +
      platform +
      ' is recorded in tools/node-sha256.json, so it is not run: ' +
      'use a computer with a processor of x64 or arm64'
    )
  }
  const file = join(folder, 'node_modules', '.bin', 'node')
  const found = createHash('sha256').update(readFileSync(file)).digest('hex')
  if (found === wanted) return undefined
  return (
    'the Node that npm fetched is not Node ' +
    known.version +
    ' for ' +
    platform +
    ' as recorded, and was not run: ' +
    file +
    ' has the SHA-256 ' +
    found +
    ', tools/node-sha256.json says ' +
    wanted +
    '. Does npm use a registry that changes packages (npm config get registry)? Then run this again'
  )
}

class Problem extends Error {}

async function main() {
  const folder = dirname(dirname(fileURLToPath(import.meta.url)))
  const decision = decide(folder)
  if (process.argv.includes('--decide')) {
    console.log(JSON.stringify(decision))
    return 0
  }
  const onlyTells = process.argv.includes('--plan')
  if (decision.install && onlyTells) {
    console.log('set-up: ' + decision.why + '; it would run npm ci in ' + folder)
    console.log('set-up: what else is missing can be told when that is done; then ask again')
    return 0
  }
  if (decision.install) await install(folder, decision)
  const stamp = join(folder, 'node_modules', stampName)
  if (read(stamp) !== decision.hash && !onlyTells) writeFileSync(stamp, decision.hash)
  if (process.argv.includes('--only-packages')) return 0
  const node = join(folder, 'node_modules', '.bin', 'node')
  // Node takes a proxy from the environment, as npm and Go do, only where this is set.
  const env = Object.assign({ NODE_USE_ENV_PROXY: '1' }, process.env)
  const arguments_ = [join(folder, 'tools', 'setup.ts')].concat(process.argv.slice(2))
  const result = spawnSync(node, arguments_, { stdio: 'inherit', cwd: folder, env })
  if (result.error)
    throw new Problem(node + ': ' + result.error.message + '; remove node_modules and run this again')
  return result.status === null ? 1 : result.status
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().then(
    (code) => (process.exitCode = code),
    (error) => {
      console.error('set-up: ' + (error instanceof Problem ? error.message : error.stack))
      process.exitCode = 1
    },
  )
}
