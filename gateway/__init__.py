"""The gateway: Envoy in front of the three services, speaking REST to the apps and gRPC to everybody.

`envoy.yaml` is the gateway: routes, filters, clusters. `settings` is what differs between two of them, `config` puts
the one into the other, `process` starts Envoy with the result. `refusals` is every answer the gateway gives by itself,
`response.lua` what it does to the answers of others. `openapi` and `docs` write the API down for people, from the
protos.
"""
