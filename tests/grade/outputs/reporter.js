// The two sums of classroom-resources/autograding-grading-reporter, written anew: it is no npm package.
// Runners come as the action gets them: their ids in INPUT_RUNNERS, each result in base64 in ID_RESULTS.

const runners = process.env.INPUT_RUNNERS.split(",").map((id) => {
  const encoded = process.env[`${id.trim().toUpperCase()}_RESULTS`];
  return JSON.parse(Buffer.from(encoded, "base64").toString("utf-8"));
});

const share = ({ tests, max_score }) => {
  const passed = tests.filter(({ status }) => status === "pass").length;
  return (passed / tests.length) * (max_score || 0);
};
const earned = ({ tests, max_score }) => (max_score ? tests.reduce((sum, { score }) => sum + score, 0) : 0);
const total = (of) => runners.reduce((sum, runner) => sum + of(runner), 0);

console.log(
  JSON.stringify({
    table: [total(share), total(({ max_score }) => max_score)],
    notice: [total(earned), total(({ max_score }) => max_score)],
    failed: runners.some(({ status }) => status !== "pass"),
  }),
);
