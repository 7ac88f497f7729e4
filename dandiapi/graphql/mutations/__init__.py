"""The mutations: what can be changed, by the services of the domain."""
