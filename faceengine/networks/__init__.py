"""faceswap-GAN v2.2 in PyTorch: shared encoder, two decoders, two discriminators; plain or octave convolutions."""
