"""What concerns somebody since they last looked: notices on their page, live, and by e-mail where it is set up."""
