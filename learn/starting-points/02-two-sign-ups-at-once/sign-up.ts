import { randomBytes, scrypt } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { Problem } from "../../../src/contract/problems.ts";

const derive = promisify<string, Buffer, number, Buffer>(scrypt);

/** A new database without any account. */
export function openDatabase(): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  database.exec("create table accounts (id integer primary key, email text not null, password_hash text not null)");
  return database;
}

/**
 * Makes an account and returns its id.
 *
 * @throws Problem `email-taken`
 */
export async function signUp(database: DatabaseSync, email: string, password: string): Promise<number> {
  const taken = database.prepare("select id from accounts where email = ?").get(email);
  if (taken !== undefined) throw new Problem("email-taken");
  const hash = await hashPassword(password);
  const { lastInsertRowid } = database
    .prepare("insert into accounts (email, password_hash) values (?, ?)")
    .run(email, hash);
  return Number(lastInsertRowid);
}

async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `${salt.toString("hex")}:${(await derive(password, salt, 32)).toString("hex")}`;
}
