"""What a function is made of on AWS, as one CloudFormation document. Pure: data in, data out."""
