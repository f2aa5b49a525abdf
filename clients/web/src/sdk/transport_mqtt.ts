// SPDX-License-Identifier: MIT
// The transport by MQTT.js. Its 99 kB are loaded when the first connection is made, not with the
// page: only client.ts imports this file, and not before. Rule: none of MQTT.js's conveniences is
// used (reconnecting, resubscribing, queues, a store of packets), for connection.ts and outbox.ts
// do these things as the contract wants them.
import mqtt, { type MqttClient } from 'mqtt'; // in browsers it has no other name than `default`

import { ConnectRefused, type Link, type LinkOptions, type Transport } from './transport.ts';

export const mqttTransport: Transport = { connect };

async function connect(options: LinkOptions): Promise<Link> {
  const client = mqtt.connect(options.url, {
    protocolVersion: 5,
    clientId: options.clientId,
    username: options.username,
    password: options.password,
    clean: true,
    keepalive: options.keepAliveSeconds,
    connectTimeout: options.timeoutMs,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // Its other timers run in a worker made from a blob, which a strict page policy forbids.
    timerVariant: 'native',
  });
  client.on('message', (topic, payload) => options.onMessage(topic, payload.toString()));
  await connected(client, options.timeoutMs);
  const link = new MqttLink(client);
  let reasonCode: number | null = null;
  client.once('disconnect', (packet) => (reasonCode = packet.reasonCode ?? null));
  client.once('close', () => {
    link.ended();
    options.onClose(reasonCode);
  });
  client.on('error', () => client.end(true)); // 'close' follows
  return link;
}

/** Waits for CONNACK. */
function connected(client: MqttClient, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const give = (error: Error): void => {
      client.removeAllListeners();
      client.on('error', () => undefined); // what is still to come concerns nobody
      client.end(true);
      clearTimeout(timer);
      const code = (error as { code?: unknown }).code;
      reject(typeof code === 'number' && code >= 0x80 ? new ConnectRefused(code) : error);
    };
    const timer = setTimeout(() => give(new Error('no CONNACK in time')), timeoutMs);
    client.once('connect', () => {
      clearTimeout(timer);
      client.removeAllListeners('error');
      client.removeAllListeners('close');
      resolve();
    });
    client.once('error', give);
    client.once('close', () => give(new Error('the connection could not be made')));
  });
}

class MqttLink implements Link {
  /** Those who wait for an acknowledgement, which MQTT.js would let wait for ever. */
  private readonly waiting = new Set<(error: Error) => void>();

  constructor(private readonly client: MqttClient) {}

  ended(): void {
    const error = new Error('the connection has ended');
    for (const reject of [...this.waiting]) reject(error);
    this.client.end(true); // frees what it would need to connect again
  }

  publish(topic: string, payload: string): Promise<number> {
    return this.answer((resolve, reject) => {
      this.client.publish(topic, payload, { qos: 1 }, (error, packet) => {
        const refusal = reasonOf(error);
        if (refusal !== null) resolve(refusal);
        else if (error) reject(error);
        else resolve((packet as { reasonCode?: number } | undefined)?.reasonCode ?? 0);
      });
    });
  }

  subscribe(filter: string): Promise<number> {
    return this.answer((resolve, reject) => {
      this.client.subscribe(filter, { qos: 0 }, (error, _granted, packet) => {
        const code = packet?.granted[0];
        if (typeof code === 'number') resolve(code);
        else if (error) reject(error);
        else resolve(0);
      });
    });
  }

  unsubscribe(filter: string): Promise<void> {
    return this.answer((resolve, reject) => {
      this.client.unsubscribe(filter, (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): void {
    this.client.end(true);
  }

  private answer<T>(
    ask: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> {
    let reject: (error: Error) => void = () => undefined;
    const answer = new Promise<T>((resolve, refuse) => {
      reject = refuse;
      this.waiting.add(reject);
      ask(resolve, refuse);
    });
    return answer.finally(() => this.waiting.delete(reject));
  }
}

/** MQTT.js makes an error of a PUBACK that refuses; here it is an answer. */
function reasonOf(error: unknown): number | null {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'number' && code >= 0x80 ? code : null;
}
