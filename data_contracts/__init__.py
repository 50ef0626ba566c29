"""What arrives: contracts of the delivered classes, and everything that turns a file into typed rows and facts."""
