/** What an empty tab says: how to send something here. */

import { fill, h, copyButton } from './dom.js';

/** Shows how to point a program or a Collector to this relay. */
export function welcome(area, { base, about }, what) {
  const endpoint = new URL('.', base).href.replace(/\/$/, '');
  const signature = `${what}${endpoint}${about?.grpcPorts ?? ''}`;
  if (area.dataset.shown === signature) return;
  area.dataset.shown = signature;
  const [grpc] = about?.grpcPorts ?? [];
  const { hostname, protocol } = new URL(base);
  fill(
    area,
    h('div', { className: 'welcome' },
      h('h2', { className: 'title' }, `Waiting for ${what}`),
      h('p', {}, 'Whatever is sent to this relay appears here as it arrives. Point a program to it:'),
      step('A program with an OpenTelemetry SDK', 'Set its environment.', `OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`),
      step('A Collector', 'Add an exporter, and name it in your pipelines beside those that are there.',
        `exporters:\n  otlp_http/relay:   # before Collector 0.144: otlphttp/relay\n    endpoint: ${endpoint}\nservice:\n  pipelines:\n    ${what}:\n      exporters: [otlp_http/relay]`),
      grpc && step('Over gRPC', 'The same, for exporters that speak gRPC.', `OTEL_EXPORTER_OTLP_ENDPOINT=${protocol}//${hostname}:${grpc}\nOTEL_EXPORTER_OTLP_PROTOCOL=grpc`),
      step('By hand', 'One request, with curl.', curl(endpoint, what)),
      h('p', { className: 'soft' }, 'Nothing to send yet? ', h('code', {}, 'otlp-relay serve --demo'), ' shows this page alive.')),
  );
}

function step(title, text, code) {
  return h('section', { className: 'step' }, h('h3', {}, title), h('p', {}, text),
    h('div', { className: 'code' }, h('pre', { tabIndex: 0, 'aria-label': title }, h('code', {}, code)), copyButton(`Copy: ${title}`, () => code)));
}

/** A request of one item. */
function curl(endpoint, what) {
  const bodies = {
    metrics: '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"room.temperature","unit":"Cel","gauge":{"dataPoints":[{"timeUnixNano":"\'$(date +%s)000000000\'","asDouble":21.5}]}}]}]}]}',
    logs: '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"\'$(date +%s)000000000\'","severityNumber":9,"body":{"stringValue":"hello"}}]}]}]}',
    traces: '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"hello","startTimeUnixNano":"\'$(date +%s)000000000\'","endTimeUnixNano":"\'$(date +%s)250000000\'"}]}]}]}',
  };
  return `curl ${endpoint}/v1/${what} -H 'Content-Type: application/json' \\\n  -d '${bodies[what]}'`;
}
