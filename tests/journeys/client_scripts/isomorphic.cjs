// One upload, as a program with isomorphic-git does it: brings its clone along, commits a file to `main` and a line of a
// key's log to `git-annex`, and pushes both. Its one argument is JSON: packages, url, token, folder, path, log, line.
const fs = require('fs')
const path = require('path')
// The package's own bundle of itself is made for browsers.
globalThis.self = globalThis
const asked = JSON.parse(process.argv[2])
require(path.join(asked.packages, 'isomorphic-git/index.umd.min.js'))
const http = require(path.join(asked.packages, 'isomorphic-git/http/node/index.cjs'))
const { git } = globalThis

const author = { name: 'Somebody', email: 'somebody@example.org' }
const clone = { fs, http, dir: asked.folder, author, headers: { Authorization: `Bearer ${asked.token}` } }

async function bringAlong(ref) {
  await git.fetch({ ...clone, remote: 'origin', ref, singleBranch: true, tags: false })
  const theirs = `refs/remotes/origin/${ref}`
  if (!(await git.listBranches(clone)).includes(ref)) await git.branch({ ...clone, ref, object: theirs })
  const merged = await git.merge({ ...clone, ours: ref, theirs })
  await git.checkout({ ...clone, ref })
  return merged.fastForward || merged.alreadyMerged
}

async function commit(filepath, content, message) {
  fs.mkdirSync(path.dirname(path.join(asked.folder, filepath)), { recursive: true })
  fs.appendFileSync(path.join(asked.folder, filepath), content)
  await git.add({ ...clone, filepath })
  return git.commit({ ...clone, message })
}

async function upload() {
  if (!fs.existsSync(asked.folder)) await git.clone({ ...clone, url: asked.url, ref: 'main', singleBranch: true })
  const isClean = [await bringAlong('git-annex')]
  const annex = await commit(asked.log, asked.line, 'annex')
  isClean.push(await bringAlong('main'))
  const main = await commit(asked.path, `${asked.path}\n`, 'Add a file')
  const heard = []
  for (const ref of ['git-annex', 'main']) {
    const pushed = await git.push({ ...clone, remote: 'origin', ref, onMessage: (message) => heard.push(message) })
    if (!pushed.ok || !pushed.refs[`refs/heads/${ref}`].ok) throw new Error(JSON.stringify([pushed, heard]))
  }
  console.log(JSON.stringify({ annex, main, isClean: isClean.every(Boolean) }))
}

upload().catch((error) => {
  console.error(error)
  process.exit(1)
})
