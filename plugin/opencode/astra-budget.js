// OpenCode's plugin: tells `astra-budget hook opencode` what each answer used, and stops the session when that says so.
import { spawn } from "node:child_process";

/** Longer than the ledger keeps anyone waiting. */
const PATIENCE_MS = 60_000;
const NOT_ASKED =
  "astra-budget: It cannot be asked, so nothing may be spent. See that OpenCode is started where `astra-budget hook --help` works.";

/** The counts of an answer that is only asked for. */
const NOT_BEGUN = JSON.stringify({ input: 0, output: 0, reasoning: 0, cache: { read: 0, write: 0 } });

export const AstraBudget = async ({ client, directory }) => {
  /** Of sub-agents: the session that a person began. */
  const roots = new Map();
  /** Why a person's session may not go on. */
  const stopped = new Map();
  /** The counts of each message that are booked: a message is told several times. */
  const booked = new Map();
  /** One after another: who asks second must see what the first one booked. */
  let queue = Promise.resolve();

  const rootOf = async (id) => {
    if (!roots.has(id)) {
      const { data } = await client.session.get({ path: { id }, throwOnError: true });
      roots.set(id, data.parentID ? await rootOf(data.parentID) : id);
    }
    return roots.get(id);
  };

  const tell = (message, variant) => client.tui.showToast({ body: { message, variant } }).catch(() => {});

  const answerTo = async (sessionID, input) => {
    try {
      const root = await rootOf(sessionID);
      const agent_id = root === sessionID ? null : sessionID;
      return await run({ ...input, session_id: root, agent_id }, directory);
    } catch {
      return { decision: "block", reason: NOT_ASKED };
    }
  };

  const ask = (sessionID, input) => {
    queue = queue.then(async () => {
      const answer = await answerTo(sessionID, input);
      const root = roots.get(sessionID) ?? sessionID;
      if (answer.decision === "block") {
        stopped.set(root, answer.reason);
        await tell(answer.reason, "error");
      } else {
        stopped.delete(root);
        if (answer.systemMessage) await tell(answer.systemMessage, "warning");
      }
    });
    return queue;
  };

  const reasonToStop = async (sessionID) => stopped.get(await rootOf(sessionID).catch(() => sessionID));

  const abort = async (id) => {
    if (await reasonToStop(id)) await client.session.abort({ path: { id } });
  };

  return {
    event: async ({ event }) => {
      if (event.type !== "message.updated") return;
      const { info } = event.properties;
      const counts = JSON.stringify(info.tokens);
      if (info.role !== "assistant" || counts === booked.get(info.id) || counts === NOT_BEGUN) return;
      booked.set(info.id, counts);
      await ask(info.sessionID, { hook_event_name: event.type, model: info.modelID, message: info });
      await abort(info.sessionID);
    },
    "chat.message": async ({ sessionID }, { message }) => {
      await ask(sessionID, { hook_event_name: "chat.message", model: message.model?.modelID });
      const reason = await reasonToStop(sessionID);
      if (reason) throw new Error(reason);
    },
    // Before each call of a model. To throw here would hang OpenCode.
    "chat.params": async ({ sessionID }) => {
      await queue;
      await abort(sessionID);
    },
  };
};

/** The hook's answer; rejects if there is none. */
function run(input, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn("astra-budget", ["hook", "opencode"], {
      cwd,
      stdio: ["pipe", "pipe", "ignore"],
      timeout: PATIENCE_MS,
      // There the command is a script, which only a shell starts.
      shell: process.platform === "win32",
    });
    let answer = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      answer += text;
    });
    child.on("error", reject);
    child.on("close", () => {
      try {
        resolve(JSON.parse(answer));
      } catch (error) {
        reject(error);
      }
    });
    // It may be gone before it has read everything.
    child.stdin.on("error", () => {}).end(JSON.stringify(input));
  });
}
