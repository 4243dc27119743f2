"""The trunks: each module turns the normalised image into features at stride 8."""
