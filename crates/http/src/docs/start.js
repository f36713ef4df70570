// Shows the API document of this service; nothing is asked of anybody else.
SwaggerUIBundle({
  dom_id: "#api",
  url: "/openapi.json",
  validatorUrl: null,
  tryItOutEnabled: true,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
});
