// What all signals have in common, and how frames show attributes.

import { resourceFromAttributes } from "@opentelemetry/resources";

export const resource = resourceFromAttributes({
  "service.name": "interop",
  instances: 3,
  zones: ["a", "b"],
  // gRPC leaves a message as it is that compression would make no shorter.
  long: "round and round ".repeat(40),
});

/** `resource` as frames show it. */
export const resourceJson = {
  attributes: [
    { key: "service.name", value: { stringValue: "interop" } },
    { key: "instances", value: { intValue: "3" } },
    {
      key: "zones",
      value: { arrayValue: { values: [{ stringValue: "a" }, { stringValue: "b" }] } },
    },
    { key: "long", value: { stringValue: "round and round ".repeat(40) } },
  ],
};

/** One of each kind of attribute. */
export const attributes = { path: "/ü", ok: true, code: 200, ratio: 0.5 };

/** `attributes` as frames show them. */
export const attributesJson = [
  { key: "path", value: { stringValue: "/ü" } },
  { key: "ok", value: { boolValue: true } },
  { key: "code", value: { intValue: "200" } },
  { key: "ratio", value: { doubleValue: 0.5 } },
];
