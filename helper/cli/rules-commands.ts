/** `eigenx-tee policy rules`: the rule sets that this program knows, and how to add one. @module */
import type { Command } from 'commander'
import type { Io, KeepCode } from './io.ts'

export function registerRulesCommands(policy: Command, io: Io, keepCode: KeepCode): void {
  const rules = policy
    .command('rules')
    .description('the rule sets that this program knows, and how to add one')
  rules
    .command('list')
    .description('list every known rule set with what it pins')
    .option('--json', 'one JSON document on standard output', false)
    .addHelpText(
      'after',
      `
Policies under other rules are refused, unless the release pins the whole initdata.

Example:
  $ eigenx-tee policy rules list`,
    )
    .action(
      keepCode(async (options: { json: boolean }) => {
        const { listRules } = await import('./policy-rules.ts')
        return listRules(io, options)
      }),
    )
  rules
    .command('review')
    .description('tell what a rule set shows by itself, and what its reviewer has to answer')
    .argument('<file>', 'rules.rego, policy.rego or initdata; - is standard input')
    .option('--name <text>', 'whose rules they are', 'kata-containers genpolicy')
    .option('--release <text>', 'the release that they are of', 'unknown')
    .option('--json', 'the review to fill in, as JSON', false)
    .addHelpText(
      'after',
      `
Example:
  $ eigenx-tee policy rules review rules.rego --name 'kata-containers genpolicy' --release 3.33.0 --json > review.json`,
    )
    .action(
      keepCode(
        async (
          file: string,
          { name, release, json }: { name: string; release: string; json: boolean },
        ) => {
          const { reviewRules } = await import('./policy-rules.ts')
          return reviewRules(io, { file, name, version: release, json })
        },
      ),
    )
  rules
    .command('add')
    .description('put a reviewed rule set into the table of a checkout of this program')
    .argument('<file>', 'rules.rego, policy.rego or initdata')
    .requiredOption('--review <file>', 'the filled-in review')
    .option('--table <file>', 'the table to change', 'policy/rules-table.ts')
    .addHelpText(
      'after',
      `
What the row says follows from the answers: one that speaks against the rules, and they do not pin the image.
Commit the changed table with the review beside it, and build anew: no option makes a running program believe a
table. In the checkout itself: npm run eigenx-tee -- policy rules add …

Example:
  $ eigenx-tee policy rules add rules.rego --review review.json`,
    )
    .action(
      keepCode(async (file: string, options: { review: string; table: string }) => {
        const { addRules } = await import('./policy-rules.ts')
        return addRules(io, { file, ...options })
      }),
    )
}
