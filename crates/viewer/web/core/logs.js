/** The newest log records. */

import { labelOf, labelsOf, serviceName, valueText } from './attributes.js';
import { holdsAll, matcher } from './filter.js';
import { eachRecord, milliseconds } from './otlp.js';
import { Ring } from './ring.js';
import { sizeOf } from './size.js';

/** Records that are kept; the oldest goes. */
export const MAX_RECORDS = 5000;
/** How much of all records is kept, in characters; the oldest go. */
export const MAX_CHARACTERS = 16_000_000;
/** How much of a record is looked through for words, in characters. */
const MAX_TEXT = 4096;

/** The ranges of OTLP's severity numbers, by the least of each (logs.proto, `SeverityNumber`). */
export const SEVERITIES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** The name of a severity number; empty for none. */
export function severityName(number) {
  return number >= 1 && number <= 24 ? SEVERITIES[Math.floor((number - 1) / 4)] : '';
}

/** The least number of a severity's name; 0 for none. */
export function severityNumber(name) {
  return SEVERITIES.includes(name) ? SEVERITIES.indexOf(name) * 4 + 1 : 0;
}

export class Logs {
  constructor(limits = { records: MAX_RECORDS, characters: MAX_CHARACTERS }) {
    this.limits = limits;
    this.clear();
  }

  clear() {
    this.ring = new Ring(this.limits.records);
    this.characters = 0;
    this.next = 1;
    /** Records that had to go. */
    this.gone = 0;
  }

  /** Takes the records of a request that came in at a time, in milliseconds. */
  add(request, received) {
    let last;
    eachRecord(request, (record, resource, scope) => {
      const entry = entryOf(record, resource, scope, received);
      // The records of a resource share what is kept of it.
      if (resource !== last) entry.size += sizeOf(resource.labels);
      last = resource;
      this.#push(entry);
    });
  }

  /** Takes note of records that are missing here. */
  addGap(text, time) {
    this.#push({ gap: text, time, size: text.length, severity: 0, text: text.toLowerCase() });
  }

  #push(entry) {
    entry.id = this.next;
    this.next += 1;
    this.#forget(this.ring.push(entry));
    this.characters += entry.size;
    while (this.characters > this.limits.characters && this.ring.length > 1) this.#forget(this.ring.shift());
  }

  #forget(entry) {
    if (!entry) return;
    this.characters -= entry.size;
    this.gone += 1;
  }
}

/** Those of some entries that a filter and a least severity leave; gaps always. */
export function select(entries, { clauses, words }, least) {
  const matches = matcher(clauses);
  const selected = [];
  for (const entry of entries) {
    const fits = entry.severity >= least && holdsAll(entry.text, words) && (!matches || matches(entry));
    if (entry.gap || fits) selected.push(entry);
  }
  return selected;
}

function entryOf(record, resource, scope, received) {
  const time = milliseconds(record.timeUnixNano) || milliseconds(record.observedTimeUnixNano) || received;
  const labels = labelsOf(record.attributes);
  const body = valueText(record.body) || record.eventName || labelOf(labels, 'exception.message') || '';
  const service = serviceName(resource.labels);
  const severity = record.severityNumber ?? 0;
  let text = `${body}\n${service}\n${record.severityText ?? ''}\n${record.traceId ?? ''}`;
  for (const [key, value] of labels) text += `\n${key}=${value}`;
  return {
    time,
    severity,
    severityText: record.severityText || severityName(severity),
    body,
    service,
    labels,
    resource: resource.labels,
    scope,
    record,
    text: text.slice(0, MAX_TEXT).toLowerCase(),
    size: sizeOf(record) + 2 * text.length,
  };
}
