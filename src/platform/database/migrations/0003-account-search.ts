import { sql } from "kysely";
import { accountWords } from "../account-words.ts";
import type { Migration, MigrationDatabase, SchemaWords } from "../migrate.ts";

/** The words by which accounts are found, and the order in which those of a role or state are listed. */
export const migration0003: Migration = {
  name: "0003-account-search",
  up: async (db, words) => {
    await db.schema.createIndex("accounts_role_disabled").on("accounts").columns(["role", "disabled", "id"]).execute();
    // In any order first: a large index that is filled in its own order is filled in seconds.
    await createWordTable(db, words, "account_words_unsorted");
    await fillWords(db);
    await createWordTable(db, words, "account_words");
    await sql`insert into account_words (word, account_id)
      select word, account_id from account_words_unsorted order by word, account_id`.execute(db);
    await db.schema.dropTable("account_words_unsorted").execute();
  },
};

// No foreign key, which would need an index of its own: the words of an account are known without looking.
async function createWordTable(
  db: MigrationDatabase,
  words: SchemaWords,
  name: "account_words" | "account_words_unsorted",
): Promise<void> {
  const table = db.schema
    .createTable(name)
    .addColumn("word", words.orderedText, (column) => column.notNull())
    .addColumn("account_id", words.wholeNumber, (column) => column.notNull());
  if (name === "account_words_unsorted") await table.modifyEnd(words.tableEnd).execute();
  else {
    await table
      .addPrimaryKeyConstraint("account_words_key", ["word", "account_id"])
      .modifyEnd(words.keyTableEnd)
      .execute();
  }
}

const accountsPerStep = 500;
const wordsPerInsert = 1_000;

async function fillWords(db: MigrationDatabase): Promise<void> {
  let after = 0;
  for (;;) {
    const { rows } = await sql<{ id: number; email: string; display_name: string | null }>`
      select id, email, display_name from accounts where id > ${after} order by id limit ${accountsPerStep}`.execute(
      db,
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.id;
    const pairs = rows.flatMap((row) => accountWords(row).map((word) => sql`(${word}, ${row.id})`));
    for (let from = 0; from < pairs.length; from += wordsPerInsert) {
      const some = pairs.slice(from, from + wordsPerInsert);
      await sql`insert into account_words_unsorted (word, account_id) values ${sql.join(some)}`.execute(db);
    }
  }
}
