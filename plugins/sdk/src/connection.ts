/** Who the account's secret belongs to; for plugins whose manifest has `connection`. */
export interface Connection {
  /**
   * Asks the service. Runs when a person enters the secret, and whenever they want to know.
   * Throw a {@link DevRigError} in words when it does not work: `UNAUTHORIZED` for a secret that
   * the service refuses.
   */
  check(): Promise<ConnectionResult>;
}

export interface ConnectionResult {
  /** Such as a login; at most 200 characters. */
  identity: string;
  /** Such as the person's name, or the server. */
  detail?: string;
  /** What will not work, such as a right that the token lacks; at most 20. */
  warnings?: string[];
}
