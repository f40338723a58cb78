"""The contract on the wire: topics, payloads, timestamps, topic filters and liveness."""
