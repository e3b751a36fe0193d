import type { SecretsChoice } from "$lib/api/types";

export const secrets = {
  title: "Signing secrets",
  hint: "The secrets that webhooks are signed with derive from one key. It is in no backup, and without it each webhook needs a new secret.",
  label: "The key is kept",
  places: {
    keyring: "In the system's keyring",
    file: "In a file only you can read",
  } satisfies Record<SecretsChoice, string>,
  placeHints: {
    keyring: "Of the machine that Weir runs on. A folder that is moved finds it again there.",
    file: "secret.key beside the data, in plain text. Back it up apart from the data.",
  } satisfies Record<SecretsChoice, string>,
  environment: "In WEIR_SECRET_KEY, in the environment that Weir is started with. It is changed there.",
  nobody: "Nobody has chosen yet. Until then no webhook can be made.",
  noKey: "There is none yet. It is made for the first webhook.",
  fileLeft: "A file secret.key still lies beside the data. It is not used.",
  cannotRead: (reason: string) => `The key cannot be read: ${reason}.`,
  keyringHint: "No secret is lost. Start or unlock the keyring and try again, or keep the key in a file.",
  moved: {
    keyring: "The key is in the system's keyring now.",
    file: "The key is in a file now.",
  } satisfies Record<SecretsChoice, string>,
  anewTitle: "Begin with another key?",
  anewBody: "The key until now cannot be read. It stays where it is, and each webhook that there is needs a new secret: rotate it.",
  anew: "Begin with another key",

  ask: "Where shall the key of signing secrets be kept?",
  askHint: "Nobody has chosen yet, so nothing was saved. Weir does not choose for you. It can be moved later, in the settings.",
  stuck: "The key until now is in the keyring, and cannot be moved while that does not answer. To begin with another key, choose the file in the settings.",
  choose: {
    keyring: "Keep it in the system's keyring",
    file: "Keep it in a file only you can read",
  } satisfies Record<SecretsChoice, string>,
};
