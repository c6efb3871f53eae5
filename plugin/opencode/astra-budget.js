// OpenCode's plugin: tells `astra-budget hook opencode` what each answer used, and stops the session when that says so.
import { spawn } from "node:child_process";

/** Longer than the ledger keeps anyone waiting. */
const PATIENCE_MS = 60_000;
const NOT_ASKED =
  "astra-budget: It cannot be asked, so nothing may be spent. See that OpenCode is started where `astra-budget hook --help` works.";

/** The counts of an answer that is only asked for. */
const NOT_BEGUN = JSON.stringify({ input: 0, output: 0, reasoning: 0, cache: { read: 0, write: 0 } });

/** A person's prompt, or the task of a sub-agent. */
const PROMPT = "chat.message";

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

  const isNews = ({ id, role, tokens }) => {
    const counts = JSON.stringify(tokens);
    const isBooked = booked.has(id) && booked.get(id) === counts;
    return role === "assistant" && counts !== NOT_BEGUN && !isBooked;
  };

  const answerTo = async (sessionID, input, messages) => {
    try {
      const root = await rootOf(sessionID);
      const agent_id = root === sessionID ? null : sessionID;
      const answer = await run({ ...input, session_id: root, agent_id, messages }, directory);
      for (const { id, tokens } of messages) booked.set(id, JSON.stringify(tokens));
      return answer;
    } catch {
      return { decision: "block", reason: NOT_ASKED };
    }
  };

  const ask = (sessionID, input, infos) => {
    queue = queue.then(async () => {
      const messages = infos.filter(isNews);
      if (messages.length === 0 && input.hook_event_name !== PROMPT) return;
      const answer = await answerTo(sessionID, input, messages);
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
      await ask(info.sessionID, { hook_event_name: event.type, model: info.modelID }, [info]);
      await abort(info.sessionID);
    },
    [PROMPT]: async ({ sessionID }, { message }) => {
      // What was answered while nobody could be asked is booked now.
      const { data } = await client.session.messages({ path: { id: sessionID } });
      const before = (data ?? []).map(({ info }) => info);
      await ask(sessionID, { hook_event_name: PROMPT, model: message.model?.modelID }, before);
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
