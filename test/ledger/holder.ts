// A process of its own that holds a ledger's write lock with a row nobody committed, until it is told to commit or dies.
import Database from "better-sqlite3";

const db = new Database(process.argv[2] ?? "", { timeout: 0 });
db.exec("begin immediate");
db.exec("insert into stops values ('stp_holder', 'default', 'agent', 'ada', 'held', 0, null)");
process.stdout.write("held\n");
process.stdin.once("data", () => {
  db.exec("commit");
  db.close();
  process.exit(0);
});
