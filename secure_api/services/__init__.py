"""One module a capability. No HTTP, no queries: repositories of `secure_api.data` own those."""
