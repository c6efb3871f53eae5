// RFC 9728: what a client reads to find out how this server wants to be asked.

const PROTECTED_RESOURCE = "/.well-known/oauth-protected-resource";

/** Of the whole server, or of the resource at a path. */
export function metadataUrl(baseUrl: URL, path: "" | "/mcp"): string {
  return new URL(PROTECTED_RESOURCE + path, baseUrl).href;
}

/** Null for any other path. `issuer` is named where it is an authorization server's URL. */
export function protectedResource(path: string, base: () => URL, issuer: string): Response | null {
  if (!path.startsWith(PROTECTED_RESOURCE)) return null;
  if (path !== PROTECTED_RESOURCE && path !== `${PROTECTED_RESOURCE}/mcp`) return null;
  const baseUrl = base();
  const resource = path.endsWith("/mcp") ? new URL("/mcp", baseUrl).href : baseUrl.href;
  return Response.json({
    resource,
    ...(URL.canParse(issuer) ? { authorization_servers: [issuer] } : {}),
    bearer_methods_supported: ["header"],
    resource_name: "astra-budget",
  });
}
