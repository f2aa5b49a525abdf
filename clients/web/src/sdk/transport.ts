// SPDX-License-Identifier: MIT
// What the library needs of an MQTT 5 client: one connection at a time, without reconnecting and
// without a memory, both of which connection.ts and outbox.ts have. transport_mqtt.ts is one.

export interface LinkOptions {
  /** `ws:` or `wss:`; in Node also `mqtt:`. */
  readonly url: string;
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
  readonly keepAliveSeconds: number;
  /** From the call until CONNACK. */
  readonly timeoutMs: number;
  readonly onMessage: (topic: string, payload: string) => void;
  /** The connection is gone, whoever ended it; called once, and only after `connect` succeeded.
   * With the reason code of the broker's DISCONNECT, if there was one. */
  readonly onClose: (reasonCode: number | null) => void;
}

/** An open connection. */
export interface Link {
  /** QoS 1; resolves with PUBACK's reason code (0x80 and above: refused), rejected when the
   * connection ends before. Packets leave in the order of the calls. */
  publish(topic: string, payload: string): Promise<number>;
  /** Resolves with SUBACK's reason code. */
  subscribe(filter: string): Promise<number>;
  unsubscribe(filter: string): Promise<void>;
  /** Ends it at once; `onClose` follows if it has not been called yet. */
  close(): void;
}

/** The broker answered CONNECT with a refusal, 0x87 for a token that it does not take. */
export class ConnectRefused extends Error {
  constructor(readonly reasonCode: number) {
    super(`the broker refused the connection: 0x${reasonCode.toString(16)}`);
  }
}

/** Rejected with `ConnectRefused`, or with anything when there was no answer. */
export interface Transport {
  connect(options: LinkOptions): Promise<Link>;
}
