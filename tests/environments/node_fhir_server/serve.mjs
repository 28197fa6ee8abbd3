// A DSTU2 server on node-fhir-server-core: node serve.mjs PORT FOLDER. The framework routes, lets only search parameters
// of the standard through and cleans their values, builds its resources anew from what it is given, and describes itself;
// the records stand in the folder's NDJSON files, one for each type. Found is what matches the few parameters below.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import server from '@asymmetrik/node-fhir-server-core'

const VERSION = '1_0_2'
// Of what the app asks for, the framework has no AllergyIntolerance and no MedicationOrder in this version.
const TYPES = ['Patient', 'Condition', 'Coverage', 'Encounter', 'Location', 'Observation', 'Organization', 'Practitioner']
const [port, folder] = process.argv.slice(2)
const schema = (name) => server.resolveSchema(VERSION, name.toLowerCase())

const startsWith = (texts, value) => texts.flat().some((text) => text?.toLowerCase().startsWith(value.toLowerCase()))
const about = (element) => (resource, value) =>
  value.split(',').some((id) => resource[element]?.reference === `Patient/${id.replace(/^Patient\//, '')}`)
const PARAMETERS = {
  _id: (resource, value) => value.split(',').includes(resource.id),
  family: ({ name = [] }, value) => startsWith(name.map(({ family = [] }) => family), value),
  given: ({ name = [] }, value) => startsWith(name.map(({ given = [] }) => given), value),
  gender: ({ gender }, value) => gender === value,
  birthdate: ({ birthDate }, value) => birthDate === value,
  identifier: ({ identifier = [] }, value) =>
    identifier.some((one) => value === (value.includes('|') ? `${one.system}|${one.value}` : one.value)),
  patient: (resource, value) => about('patient')(resource, value) || about('subject')(resource, value),
  subject: about('subject'),
}

function serviceOf(type, resources) {
  const Resource = schema(type)
  const [Bundle, Entry] = [schema('Bundle'), schema('BundleEntry')]
  return {
    search: async (args, { req }) => {
      const asked = Object.entries(args).filter(([name]) => name in PARAMETERS)
      const found = resources.filter((one) => asked.every(([name, value]) => PARAMETERS[name](one, value)))
      const base = `${req.protocol}://${req.get('host')}/${VERSION}`
      const entry = found.map(
        (one) => new Entry({ fullUrl: `${base}/${type}/${one.id}`, resource: new Resource(one), search: { mode: 'match' } }),
      )
      return new Bundle({ type: 'searchset', total: found.length, link: [{ relation: 'self', url: `${base}/${type}` }], entry })
    },
    searchById: async ({ id }) => {
      const found = resources.find((one) => one.id === id)
      return found && new Resource(found)
    },
  }
}

const profiles = {}
for (const type of TYPES) {
  const lines = readFileSync(join(folder, `${type}.ndjson`), 'utf8').trim().split('\n')
  profiles[type] = { service: serviceOf(type, lines.map((line) => JSON.parse(line))), versions: [VERSION] }
}
server.initialize({ profiles, logging: { level: 'error' } }).listen(Number(port), '127.0.0.1')
