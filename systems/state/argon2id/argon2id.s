// Go takes functions without a body only in packages with assembler.
