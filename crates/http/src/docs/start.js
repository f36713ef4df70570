// Shows the API document of this service. Nothing is loaded from other hosts.
SwaggerUIBundle({
  dom_id: "#api",
  url: "/openapi.json",
  validatorUrl: null,
  tryItOutEnabled: true,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
});
