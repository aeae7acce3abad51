export { fakePlatform, type FakePlatform } from './fake';
export { scenarioFrom, type Scenario } from './scenario';
