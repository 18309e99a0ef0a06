"""The product's authentication of requests in this process, without HTTP around it: whole, and cut into its parts."""
