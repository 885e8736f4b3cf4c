{% autoescape off %}import * as lambda from 'aws-cdk-lib/aws-lambda';

const nightjar = lambda.LayerVersion.fromLayerVersionArn(this, 'Nightjar', '{{ layer }}');
fn.addLayers(nightjar);
fn.addEnvironment('NIGHTJAR_ENDPOINT', '{{ endpoint }}');
fn.addEnvironment('NIGHTJAR_KEY', process.env.NIGHTJAR_KEY!);
{% endautoescape %}
