/** Where an installation of the server has the agent's files, and how its owner gets more of them. */
export interface AgentSources {
  /** The folder of the release: its manifest, the installers, and the files that every release has. */
  readonly directory: string;
  /** The folder of an executable that was installed by itself; undefined where none was. */
  readonly added: (target: string) => string | undefined;
  /** What is to be done where there is no release; a sentence. */
  readonly toBuild: string;
  /** What adds executables for other machines; a command. */
  readonly toAdd: string;
}
