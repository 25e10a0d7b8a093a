"""What an endpoint is made of on AWS, as two CloudFormation documents. Pure: data in, data out."""
