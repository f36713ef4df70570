// Shows the API document of this service. Nothing is loaded from other hosts.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const useColors = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
useColors();
dark.addEventListener("change", useColors);

const order = (entry) => entry.getIn(["operation", "x-order"]);

SwaggerUIBundle({
  dom_id: "#api",
  url: "/openapi.json",
  validatorUrl: null,
  tryItOutEnabled: true,
  persistAuthorization: true,
  deepLinking: true,
  operationsSorter: (one, other) => order(one) - order(other),
  defaultModelsExpandDepth: 0,
});
